/** How far below its message an error may say where it happened, in lines. */
const BELOW = 25;

/** How far above: ESLint lists all that is wrong with a file below its name. */
const ABOVE = 30;

/** A path of the site, with its line where the tool gives one. */
const PATH = String.raw`((?:\.\/)?(?:[^\s:()"'/]+\/)*[^\s:()"'/]+\.\w+)(?::(\d+))?(?::\d+)?`;

const ALONE = new RegExp(String.raw`^(?:\[plugin [^\]]*\] )?(?:file:)?${PATH}$`);
const FRAMED = new RegExp(String.raw`^(?:╭─|,-)\[ ?${PATH} ?\]`);
const FRAME = new RegExp(String.raw`^at (?:.*\()?(?:file:\/\/)?${PATH}\)?(?: \{)?$`);
const NAMED = new RegExp(`^file: ${PATH}$`);
const LOADED = new RegExp(String.raw`\bFailed to load ${PATH}[,\s]`);
const TEMPLATE = /\btemplate (\.\/\S+)|\bfor the "(\.\/[^"]+)" template/;

/** ESLint's and Next's way to say where in the file that is named above. */
const LINE_FIRST = /^(\d+):\d+\s+/;

/** A page that a framework renders while it builds: the code that failed is a bundle, the page is what people know. */
const PAGE = /^Error occurred prerendering page "([^"]+)"|^\[\d{3}\] GET (\S+)/;

/** Folders of build output and packages: nobody mends a fault there. */
const NOT_OF_THE_SITE = /(^|\/)(node_modules|\.[\w-]+|dist|build)\/|^\//;

export interface Placed {
  /** A file with its line, a file, or a page; relative to the site. */
  place: string | null;
  /** The message without a place that stood in front of it. */
  message: string;
}

/**
 * Where a build's error happened, as the tool says it above the message or below.
 *
 * @param lines without blank ones, with paths relative to the site
 * @param index which of them is the message
 */
export function placeOf(lines: readonly string[], index: number): Placed {
  const line = lines[index] as string;
  const inFile = LINE_FIRST.exec(line)?.[1];
  const message = line.replace(LINE_FIRST, '');
  const above = lines.slice(Math.max(0, index - ABOVE), index).reverse();
  if (inFile !== undefined) {
    const file = above.map((each) => filed(ALONE.exec(each))).find((each) => each !== null);
    if (file) return { place: `${withoutLine(file)}:${inFile}`, message };
  }
  const close = placeAbove(above);
  const below = placeBelow(lines.slice(index + 1, index + 1 + BELOW));
  const isNearer = close === null || (!/:\d+$/.test(close) && below?.startsWith(close));
  return { place: (isNearer ? below : close) ?? pageAbove(above) ?? close, message };
}

/** A few lines up, with the code that is shown between: what is further away is of another error. */
function placeAbove(above: readonly string[]): string | null {
  for (const line of above.slice(0, 4)) {
    const place = filed(ALONE.exec(line)) ?? filed(LOADED.exec(line));
    if (place !== null) return place;
  }
  const template = above
    .slice(0, 12)
    .map((line) => TEMPLATE.exec(line))
    .find((found) => found);
  return template ? cleaned(template[1] ?? (template[2] as string)) : null;
}

function placeBelow(below: readonly string[]): string | null {
  for (const [at, line] of below.entries()) {
    const next = /^Location:?$/i.test(line) ? below[at + 1] : undefined;
    const said = next === undefined ? null : next.replace(/:(\d+):\d+$/, ':$1').replace(/:0$/, '');
    if (said) return said.includes('node_modules') ? null : said;
    const framed = FRAMED.exec(line);
    if (framed) return filed(framed);
    const place = filed(NAMED.exec(line)) ?? filed(FRAME.exec(line));
    if (place !== null) return place;
  }
  return null;
}

function pageAbove(above: readonly string[]): string | null {
  for (const line of above.slice(0, 3)) {
    const page = PAGE.exec(line);
    if (page) return `page ${page[1] ?? page[2]}`;
  }
  return null;
}

function filed(found: RegExpExecArray | null): string | null {
  if (!found?.[1]) return null;
  const path = cleaned(found[1]);
  if (NOT_OF_THE_SITE.test(path)) return null;
  return found[2] === undefined ? path : `${path}:${found[2]}`;
}

function cleaned(path: string): string {
  return path.replace(/^\.\//, '');
}

function withoutLine(place: string): string {
  return place.replace(/:\d+$/, '');
}
