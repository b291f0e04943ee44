/** A measured duration: `0.84 s`, `12 min 5 s`, `3 h 20 min` */
export function durationText(seconds: number): string {
  if (seconds < 59.5) return `${seconds.toPrecision(seconds < 10 ? 2 : 3)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Two decimals, or four for small amounts. */
export const costText = (cost: number): string => cost.toFixed(cost < 0.1 ? 4 : 2);

/** The cost of device time, in the currency of the rate. */
export const costOf = (seconds: number, perHour: number): number => (seconds / 3_600) * perHour;

/** Parses an amount of money, in any currency, such as `2.5`; `null` for anything else. */
export function amountOf(text: string): number | null {
  const number = Number(text);
  return /^\d+(\.\d+)?$/.test(text) && Number.isFinite(number) ? number : null;
}
