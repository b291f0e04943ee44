/** The start of a manifest store's description box: its name, then its type. */
const MARK = Buffer.from('jumdc2pa');

/** Whether the file may have a C2PA manifest. The library that reads one is worth loading only then. */
export const mayHaveCredential = (file: Uint8Array): boolean =>
  Buffer.from(file.buffer, file.byteOffset, file.length).includes(MARK);
