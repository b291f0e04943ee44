/** The beginning of a manifest store's description: its box's name, then its type. */
const MARK = Buffer.from('jumdc2pa');

/** Whether the file may have a C2PA manifest; reading one takes a library that is worth loading only then. */
export const mayHaveCredential = (file: Uint8Array): boolean =>
  Buffer.from(file.buffer, file.byteOffset, file.length).includes(MARK);
