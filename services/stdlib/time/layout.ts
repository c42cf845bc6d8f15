/** One piece of a layout: a token, or (`literal`) text that stands for itself. */
export interface LayoutPart {
  readonly kind: 'token' | 'literal' | 'fraction';
  /** The token or the text; of a fraction its digits, e.g. `000`. */
  readonly text: string;
  /** Of a fraction: `.` or `,`. */
  readonly point?: string;
}

/** Longer tokens stand before those that they begin with. */
const TOKENS = [
  ...['January', 'Jan', 'Monday', 'Mon', 'MST', '002', '01', '02', '03', '04', '05', '06', '15', '1', '2006', '2'],
  ...['__2', '_2', '3', '4', '5', 'PM', 'pm', '-070000', '-07:00:00', '-0700', '-07:00', '-07'],
  ...['Z070000', 'Z07:00:00', 'Z0700', 'Z07:00', 'Z07'],
];
const FRACTION = /^[.,](0+|9+)(?!\d)/;

/** The parts of a layout, by the rules of Go's `time` package: the moment `Mon Jan 2 15:04:05 MST 2006`. */
export const layoutParts = (layout: string): readonly LayoutPart[] => {
  const parts: LayoutPart[] = [];
  let literal = '';
  const push = (part: LayoutPart): void => {
    if (literal !== '') parts.push({ kind: 'literal', text: literal });
    literal = '';
    parts.push(part);
  };
  for (let i = 0; i < layout.length; ) {
    const rest = layout.slice(i, i + 32);
    const fraction = FRACTION.exec(rest);
    if (fraction !== null) {
      push({ kind: 'fraction', text: fraction[1] ?? '', point: rest[0] });
      i += fraction[0].length;
      continue;
    }
    const token = tokenAt(rest);
    if (token === undefined) {
      literal += layout[i];
      i += 1;
    } else {
      push({ kind: 'token', text: token });
      i += token.length;
    }
  }
  if (literal !== '') parts.push({ kind: 'literal', text: literal });
  return parts;
};

const tokenAt = (rest: string): string | undefined => {
  if (rest.startsWith('_2006')) return undefined; // a literal `_` and the year
  for (const token of TOKENS) {
    if (!rest.startsWith(token)) continue;
    // `Jan` and `Mon` are no tokens inside another word: `Month`.
    if ((token === 'Jan' || token === 'Mon') && /^[a-z]/.test(rest.slice(3))) continue;
    return token;
  }
  return undefined;
};

export const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October'],
  ...['November', 'December'],
];
export const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
export const SHORT = 3;
