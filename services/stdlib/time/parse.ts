import { daysFromCivil, daysInMonth } from './calendar.ts';
import { type LayoutPart, layoutParts, MONTHS, SHORT, WEEKDAYS } from './layout.ts';
import { fixedZone, type Location, unixOfWall } from './location.ts';
import { civilTime, Time, timeOfCivil } from './time.ts';

/** What is wrong with a value; caught by `parseTime`, which gives it as a result. */
class Mismatch extends Error {}

/**
 * The time that a text names, by the rules of Go's `time.Parse`; `location` is the zone of texts that name none.
 * A string instead of a time says why there is none.
 */
export const parseTime = (layout: string, value: string, location: Location, utc: Location): Time | string => {
  const parts = layoutParts(layout);
  const reader = new Reader(value, parts);
  try {
    for (const [i, part] of parts.entries()) reader.take(part, i);
    reader.end();
    return timeOf(reader, location, utc);
  } catch (error) {
    if (error instanceof Mismatch)
      return `cannot parse ${JSON.stringify(value)} as ${JSON.stringify(layout)}: ${error.message}`;
    throw error;
  }
};

class Reader {
  readonly #value: string;
  readonly #parts: readonly LayoutPart[];
  #at = 0;
  year = 0;
  month: number | undefined;
  day: number | undefined;
  yearDay: number | undefined;
  hour = 0;
  isPm: boolean | undefined;
  minute = 0;
  second = 0;
  nanosecond = 0;
  isUtc = false;
  offset: number | undefined;
  zoneName = '';

  constructor(value: string, parts: readonly LayoutPart[]) {
    this.#value = value;
    this.#parts = parts;
  }

  end(): void {
    if (this.#at < this.#value.length) throw new Mismatch(`extra text ${JSON.stringify(this.#rest())}`);
  }

  take(part: LayoutPart, index: number): void {
    if (part.kind === 'literal') this.#literal(part.text);
    else if (part.kind === 'fraction') this.#fraction(part.text);
    else this.#token(part.text, index);
  }

  #rest(): string {
    return this.#value.slice(this.#at);
  }

  #match(pattern: RegExp, what: string): RegExpExecArray {
    const found = pattern.exec(this.#rest());
    if (found === null) throw new Mismatch(`${what} expected at ${JSON.stringify(this.#rest())}`);
    this.#at += found[0].length;
    return found;
  }

  #number(pattern: RegExp, what: string, lowest: number, highest: number): number {
    const n = Number(this.#match(pattern, what)[0].trim());
    if (n < lowest || n > highest) throw new Mismatch(`${what} out of range`);
    return n;
  }

  /** Blanks of the layout stand for any number of blanks. */
  #literal(text: string): void {
    for (let i = 0; i < text.length; ) {
      if (text[i] === ' ') {
        while (text[i] === ' ') i += 1;
        if (this.#at < this.#value.length && this.#value[this.#at] !== ' ') throw new Mismatch('blank expected');
        while (this.#value[this.#at] === ' ') this.#at += 1;
        continue;
      }
      if (this.#value[this.#at] !== text[i]) throw new Mismatch(`${JSON.stringify(text)} expected`);
      this.#at += 1;
      i += 1;
    }
  }

  #fraction(digits: string): void {
    if (digits.startsWith('0')) this.#nanoseconds(this.#match(new RegExp(`^[.,]\\d{${digits.length}}`), 'fraction')[0]);
    else this.#optionalFraction();
  }

  #optionalFraction(): void {
    const found = /^[.,]\d+/.exec(this.#rest());
    if (found === null) return;
    this.#at += found[0].length;
    this.#nanoseconds(found[0]);
  }

  #nanoseconds(text: string): void {
    this.nanosecond = Number(text.slice(1, 10).padEnd(9, '0'));
  }

  #name(names: readonly string[], length: number | undefined, what: string): number {
    const rest = this.#rest().toLowerCase();
    const index = names.findIndex((name) => rest.startsWith(name.slice(0, length).toLowerCase()));
    if (index < 0) throw new Mismatch(`${what} expected at ${JSON.stringify(this.#rest())}`);
    this.#at += (names[index] ?? '').slice(0, length).length;
    return index;
  }

  #token(token: string, index: number): void {
    switch (token) {
      case '2006':
        this.year = this.#number(/^\d{4}/, 'year', 0, 9999);
        return;
      case '06': {
        const year = this.#number(/^\d\d/, 'year', 0, 99);
        this.year = year + (year >= 69 ? 1900 : 2000);
        return;
      }
      case 'January':
      case 'Jan':
        this.month = this.#name(MONTHS, token === 'Jan' ? SHORT : undefined, 'month') + 1;
        return;
      case '01':
      case '1':
        this.month = this.#number(token === '1' ? /^\d\d?/ : /^\d\d/, 'month', 1, 12);
        return;
      case 'Monday':
      case 'Mon':
        this.#name(WEEKDAYS, token === 'Mon' ? SHORT : undefined, 'weekday');
        return;
      case '02':
        this.day = this.#number(/^\d\d/, 'day', 1, 31);
        return;
      case '_2':
      case '2':
        this.day = this.#number(token === '2' ? /^\d\d?/ : /^ ?\d\d?/, 'day', 1, 31);
        return;
      case '002':
      case '__2':
        this.yearDay = this.#number(
          token === '002' ? /^\d{3}/ : /^(?:\d{3}| ?\d\d| {0,2}\d)/,
          'day of the year',
          1,
          366,
        );
        return;
      case '15':
        this.hour = this.#number(/^\d\d?/, 'hour', 0, 23);
        return;
      case '03':
      case '3':
        this.hour = this.#number(token === '3' ? /^\d\d?/ : /^\d\d/, 'hour', 0, 12);
        return;
      case 'PM':
      case 'pm':
        this.isPm = this.#match(token === 'PM' ? /^[AP]M/ : /^[ap]m/, token)[0].toUpperCase() === 'PM';
        return;
      case '04':
      case '4':
        this.minute = this.#number(token === '4' ? /^\d\d?/ : /^\d\d/, 'minute', 0, 59);
        return;
      case '05':
      case '5':
        this.second = this.#number(token === '5' ? /^\d\d?/ : /^\d\d/, 'second', 0, 59);
        // A fraction may follow the seconds although the layout has none.
        if (this.#parts[index + 1]?.kind !== 'fraction') this.#optionalFraction();
        return;
      case 'MST':
        this.#zone();
        return;
      default:
        this.#offset(token);
    }
  }

  #offset(token: string): void {
    if (token.startsWith('Z') && this.#value[this.#at] === 'Z') {
      this.#at += 1;
      this.isUtc = true;
      return;
    }
    const fields = token.replace(/[^\d]/g, '').length / 2;
    const pattern = `^([+-])${Array.from({ length: fields }, () => '(\\d\\d)').join(token.includes(':') ? ':' : '')}`;
    const [, sign, hours = '0', minutes = '0', seconds = '0'] = this.#match(new RegExp(pattern), 'zone offset');
    if (Number(hours) > 24 || Number(minutes) > 60 || Number(seconds) > 60)
      throw new Mismatch('zone offset out of range');
    this.offset = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * (sign === '-' ? -1 : 1);
  }

  /** An abbreviation as Go takes it: three letters, four or five ending in T, `GMT+2`, `+03`. */
  #zone(): void {
    const [name] = this.#match(
      /^(?:UTC|GMT[+-]\d\d?|ChST|MeST|WITA|[A-Z]{3,4}T(?![A-Z])|[A-Z]{3}(?![A-Z])|[+-]\d\d)/,
      'zone',
    );
    if (name === 'UTC') this.isUtc = true;
    else this.zoneName = name;
  }
}

const timeOf = (r: Reader, location: Location, utc: Location): Time => {
  const { month, day } = dateOf(r);
  if (day > daysInMonth(r.year, month)) throw new Mismatch('day out of range');
  let { hour } = r;
  if (r.isPm === true && hour < 12) hour += 12;
  else if (r.isPm === false && hour === 12) hour = 0;
  const parts = { year: r.year, month, day, hour, minute: r.minute, second: r.second, nanosecond: r.nanosecond };
  if (r.isUtc) return timeOfCivil(parts, utc);
  const wall = timeOfCivil(parts, utc);
  if (r.offset !== undefined) {
    const time = new Time(wall.unix - r.offset, wall.ns, location);
    const shown = civilTime(time);
    const isLocal = shown.offset === r.offset && (r.zoneName === '' || shown.abbreviation === r.zoneName);
    return isLocal ? time : time.in(fixedZone(r.zoneName, r.offset));
  }
  if (r.zoneName === '') return timeOfCivil(parts, location);
  return named(wall, r.zoneName, location);
};

const dateOf = (r: Reader): { month: number; day: number } => {
  if (r.yearDay === undefined) return { month: r.month ?? 1, day: r.day ?? 1 };
  const days = daysFromCivil(r.year, 1, 1) + r.yearDay - 1;
  if (days >= daysFromCivil(r.year + 1, 1, 1)) throw new Mismatch('day of the year out of range');
  let month = 1;
  while (days >= daysFromCivil(r.year, month + 1, 1) && month < 12) month += 1;
  const day = days - daysFromCivil(r.year, month, 1) + 1;
  if ((r.month ?? month) !== month || (r.day ?? day) !== day)
    throw new Mismatch('day of the year does not match the date');
  return { month, day };
};

/** A time whose zone is an abbreviation: that of `location` where it knows it, else a zone of that name at offset 0. */
const named = (wall: Time, name: string, location: Location): Time => {
  const HALF_YEAR = 15_778_800;
  for (const moment of [unixOfWall(wall.unix, location), wall.unix - HALF_YEAR, wall.unix + HALF_YEAR]) {
    const { offset, abbreviation } = location.at(moment);
    if (abbreviation === name) return new Time(wall.unix - offset, wall.ns, location);
  }
  const hours = /^(?:GMT)?([+-]\d\d?)$/.exec(name)?.[1];
  const offset = hours === undefined ? 0 : Number(hours) * 3600;
  return new Time(wall.unix - offset, wall.ns, fixedZone(name, offset));
};
