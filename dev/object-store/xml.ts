export type XmlContent = string | number | boolean | readonly XmlElement[];
export type XmlElement = readonly [name: string, content: XmlContent];

const NAMED: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const ENTITY: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** A whole document; an element is `[name, text or elements]`. Names are ours, content is escaped. */
export function xmlDocument([name, content]: XmlElement): string {
  const body = render(content);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${body}</${name}>`;
}

/** The error document of S3, which has no namespace. */
export function xmlError(fields: readonly XmlElement[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${render(fields)}</Error>`;
}

/** Text of every `<name>` without attributes in `xml`, unescaped. Enough for S3's flat request bodies. */
export function xmlTexts(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map((match) => unescapeXml(match[1] ?? ''));
}

export function escapeXml(text: string): string {
  // A carriage return would be read back as a line feed, and other control characters end the parse.
  return text.replace(/[&<>"\u0000-\u001f\u007f]/g, (c) => NAMED[c] ?? `&#x${c.charCodeAt(0).toString(16)};`);
}

function unescapeXml(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|([a-z]+));/gi, (whole, hex, decimal, named) => {
    if (named) return ENTITY[named as string] ?? whole;
    const code = hex ? Number.parseInt(hex as string, 16) : Number.parseInt(decimal as string, 10);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

function render(content: XmlContent): string {
  if (!Array.isArray(content)) return escapeXml(String(content));
  return (content as readonly XmlElement[]).map(([name, inner]) => `<${name}>${render(inner)}</${name}>`).join('');
}
