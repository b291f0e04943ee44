import { XMLParser } from 'fast-xml-parser';
import { type ImageMetadata, parseMetadata } from './properties.ts';
import { escapeXml } from './xml.ts';

/** Namespace of our properties; an XMP namespace is only an identifier and need not resolve. */
const NAMESPACE = 'urn:pixart-batch:image:1#';
const PREFIX = 'pixart';
/** IPTC's term for an image made by a generative model, which image search and editors show. */
const MADE_BY_MODEL = 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia';

/**
 * The metadata as an XMP packet (ISO 16684-1). The prompt is also in the field that photo managers show as a description.
 * Characters that XML cannot hold become U+FFFD.
 */
export function toXmp(metadata: ImageMetadata): string {
  const own = Object.entries(metadata)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `   <${PREFIX}:${name}>${escapeXml(String(value))}</${PREFIX}:${name}>`)
    .join('\n');
  const description = `   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">${escapeXml(metadata.prompt)}</rdf:li></rdf:Alt></dc:description>\n`;
  return packet(metadata.software, description, `${own}\n`);
}

/** The packet of an image composed of several of ours: says that a model made it, and which program composed it. */
export const toPlainXmp = (software: string): string => packet(software, '', '');

function packet(software: string, description: string, own: string): string {
  return `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmlns:${PREFIX}="${NAMESPACE}">
${description}   <xmp:CreatorTool>${escapeXml(software)}</xmp:CreatorTool>
   <Iptc4xmpExt:DigitalSourceType>${MADE_BY_MODEL}</Iptc4xmpExt:DigitalSourceType>
${own}  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>`;
}

/** The metadata of an XMP packet; `null` if ours is missing or incomplete, or it is not XML. */
export const fromXmp = (xmp: string): ImageMetadata | null => parseMetadata(ownProperties(parse(xmp)));

const parser = new XMLParser({ parseTagValue: false, trimValues: false, htmlEntities: true });

function parse(xmp: string): unknown {
  try {
    return parser.parse(xmp);
  } catch {
    return null;
  }
}

/** Finds our properties by name anywhere in the tree: other tools regroup properties when they rewrite a packet. */
function ownProperties(node: unknown): Map<string, unknown> {
  const found = new Map<string, unknown>();
  collect(node, found);
  return found;
}

function collect(node: unknown, found: Map<string, unknown>): void {
  if (typeof node !== 'object' || node === null) return;
  for (const [name, value] of Object.entries(node)) {
    if (name.startsWith(`${PREFIX}:`)) found.set(name.slice(PREFIX.length + 1), value);
    else collect(value, found);
  }
}
