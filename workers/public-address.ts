import { BlockList, isIP } from 'node:net';

/** Ranges that IANA's registries of special-purpose addresses (IPv4: RFC 6890 and later) do not call globally reachable. */
const SPECIAL_IPV4 = ranges('ipv4', [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4'],
]);

/** All that is given out for use everywhere. */
const GLOBAL_IPV6 = ranges('ipv6', ['2000::/3']);

/** Of that: protocols' own (Teredo among them), documentation, and 6to4, which has an IPv4 address in it. */
const SPECIAL_IPV6 = ranges('ipv6', ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']);

/** IPv4 addresses in another notation: as such, and translated by NAT64. */
const WITH_IPV4 = ranges('ipv6', ['::ffff:0:0/96', '64:ff9b::/96']);

/** Whether an IP address is one of the public internet, not of this machine or network. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 4) return !SPECIAL_IPV4.check(address);
  if (version !== 6 || address.includes('%')) return false;
  if (WITH_IPV4.check(address, 'ipv6')) return isPublicAddress(lastAsIpv4(address));
  return GLOBAL_IPV6.check(address, 'ipv6') && !SPECIAL_IPV6.check(address, 'ipv6');
}

/** The last 32 bits of an IPv6 address. */
function lastAsIpv4(address: string): string {
  const [high = '', low = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split(':').slice(-2);
  return [high, low]
    .flatMap((part) => [Number.parseInt(part || '0', 16) >> 8, Number.parseInt(part || '0', 16) & 255])
    .join('.');
}

function ranges(version: 'ipv4' | 'ipv6', all: string[]): BlockList {
  const list = new BlockList();
  for (const range of all) {
    const [address, bits] = range.split('/');
    list.addSubnet(address!, Number(bits), version);
  }
  return list;
}
