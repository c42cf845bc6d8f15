/** The broken-down time that `os.date("*t")` gives. `wday` counts from Sunday as 1, `yday` from 1. */
export interface DateFields {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly min: number;
  readonly sec: number;
  readonly wday: number;
  readonly yday: number;
  readonly isdst: boolean;
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

export const dateFields = (date: Date, isUtc: boolean): DateFields => {
  const [year, month, day] = isUtc
    ? [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
    : [date.getFullYear(), date.getMonth(), date.getDate()];
  return {
    year,
    month: month + 1,
    day,
    hour: isUtc ? date.getUTCHours() : date.getHours(),
    min: isUtc ? date.getUTCMinutes() : date.getMinutes(),
    sec: isUtc ? date.getUTCSeconds() : date.getSeconds(),
    wday: (isUtc ? date.getUTCDay() : date.getDay()) + 1,
    yday: Math.round((Date.UTC(year, month, day) - Date.UTC(year, 0, 1)) / 86_400_000) + 1,
    isdst: !isUtc && date.getTimezoneOffset() < standardOffset(year),
  };
};

/** Minutes west of UTC outside of summer time: the larger of January's and July's. */
const standardOffset = (year: number): number =>
  Math.max(new Date(year, 0, 1).getTimezoneOffset(), new Date(year, 6, 1).getTimezoneOffset());

const two = (n: number): string => String(n).padStart(2, '0');

/** strftime in the C locale, or the specifier that it does not know. */
export const dateText = (format: string, date: Date, isUtc: boolean): string | { readonly unknown: string } => {
  const f = dateFields(date, isUtc);
  let unknown: string | undefined;
  const expand = (text: string): string =>
    text.replace(/%(.?)/gsu, (_, letter: string) => {
      const piece = SPECIFIERS[letter];
      if (piece === undefined) unknown ??= letter;
      return piece === undefined ? '' : typeof piece === 'string' ? expand(piece) : piece(f, date, isUtc);
    });
  const text = expand(format);
  return unknown === undefined ? text : { unknown };
};

/** A specifier is a function of the date, or short for other specifiers. */
const SPECIFIERS: Readonly<Record<string, string | ((f: DateFields, date: Date, isUtc: boolean) => string)>> = {
  a: (f) => (DAYS[f.wday - 1] as string).slice(0, 3),
  A: (f) => DAYS[f.wday - 1] as string,
  b: (f) => (MONTHS[f.month - 1] as string).slice(0, 3),
  B: (f) => MONTHS[f.month - 1] as string,
  c: '%a %b %e %H:%M:%S %Y',
  C: (f) => two(Math.floor(f.year / 100)),
  d: (f) => two(f.day),
  D: '%m/%d/%y',
  e: (f) => String(f.day).padStart(2, ' '),
  F: '%Y-%m-%d',
  h: '%b',
  H: (f) => two(f.hour),
  I: (f) => two(f.hour % 12 === 0 ? 12 : f.hour % 12),
  j: (f) => String(f.yday).padStart(3, '0'),
  m: (f) => two(f.month),
  M: (f) => two(f.min),
  n: () => '\n',
  p: (f) => (f.hour < 12 ? 'AM' : 'PM'),
  r: '%I:%M:%S %p',
  R: '%H:%M',
  s: (_, date) => String(Math.floor(date.getTime() / 1000)),
  S: (f) => two(f.sec),
  t: () => '\t',
  T: '%H:%M:%S',
  u: (f) => String(f.wday === 1 ? 7 : f.wday - 1),
  U: (f) => two(Math.floor((f.yday + 7 - f.wday) / 7)),
  w: (f) => String(f.wday - 1),
  W: (f) => two(Math.floor((f.yday + 6 - ((f.wday + 5) % 7)) / 7)),
  x: '%m/%d/%y',
  X: '%H:%M:%S',
  y: (f) => two(((f.year % 100) + 100) % 100),
  Y: (f) => String(f.year),
  z: (_, date, isUtc) => {
    const east = isUtc ? 0 : -date.getTimezoneOffset();
    return `${east < 0 ? '-' : '+'}${two(Math.floor(Math.abs(east) / 60))}${two(Math.abs(east) % 60)}`;
  },
  Z: (_, date, isUtc) => (isUtc ? 'UTC' : zoneName(date)),
  '%': () => '%',
};

const zoneName = (date: Date): string =>
  new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' })
    .formatToParts(date)
    .find((part) => part.type === 'timeZoneName')?.value ?? '';
