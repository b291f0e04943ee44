const escapes: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  // A parser would make a line feed of a bare carriage return.
  '\r': '&#13;',
};

/** XML 1.0 (section 2.2) has no way to write these, not even as a reference. */
const unwritable = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;

/** Text as the content of an XML element or attribute. What XML cannot hold, such as a zero byte, becomes U+FFFD. */
export function escapeXml(text: string): string {
  return text.replace(unwritable, '\ufffd').replace(/[&<>"'\r]/g, (character) => escapes[character]!);
}
