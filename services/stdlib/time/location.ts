import { hostObject } from '../../../runtime/lua/values.ts';

/** What a zone says of one moment. */
export interface ZoneOffset {
  /** Seconds east of UTC. */
  readonly offset: number;
  /** `CET`, `+03`; empty where nobody gave one. */
  readonly abbreviation: string;
}

/** A time zone. */
export class Location {
  readonly [hostObject] = true as const;
  readonly name: string;
  /** What the zone says of a moment, given in Unix seconds. */
  readonly at: (unix: number) => ZoneOffset;

  constructor(name: string, at: (unix: number) => ZoneOffset) {
    this.name = name;
    this.at = at;
  }
}

/** The moment at which clocks of `location` show `wall` (Unix seconds as if it were UTC). */
export const unixOfWall = (wall: number, location: Location): number => {
  // As Go does it: where the clocks leap or repeat an hour, one of the two readings is taken.
  const { offset } = location.at(wall);
  return wall - (offset === 0 ? 0 : location.at(wall - offset).offset);
};

export const fixedZone = (name: string, offset: number): Location => {
  const zone = { offset, abbreviation: name };
  return new Location(name, () => zone);
};

export interface Locations {
  readonly utc: Location;
  readonly local: Location;
  /** An IANA zone, `UTC` or `Local`; undefined for an unknown name. */
  load(name: string): Location | undefined;
}

/** The zones of the platform's own data (ICU). A zone's formatter is costly, so each is made once. */
export const locations = (): Locations => {
  const utc = fixedZone('UTC', 0);
  const zones = new Map<string, Location['at']>();
  const zoneAt = (timeZone: string): Location['at'] => {
    const known = zones.get(timeZone);
    if (known !== undefined) return known;
    const at = timeZone === 'UTC' ? utc.at : zoneReader(timeZone);
    zones.set(timeZone, at);
    return at;
  };
  const local = new Location('Local', zoneAt(new Intl.DateTimeFormat().resolvedOptions().timeZone));
  return {
    utc,
    local,
    load(name) {
      if (name === 'UTC') return utc;
      if (name === 'Local') return local;
      const timeZone = resolvedZone(name);
      return timeZone === undefined ? undefined : new Location(name, zoneAt(timeZone));
    },
  };
};

/** The platform's spelling of a zone's name: names that differ in case only share one formatter. */
const resolvedZone = (name: string): string | undefined => {
  if (!/^[A-Za-z]/.test(name)) return undefined; // `+05:00` is a zone to Intl, not to IANA
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return undefined; // a RangeError is how Intl says that it knows no such zone
  }
};

/** The first that has a word and not `GMT+1` for a zone gives the abbreviation. */
const ABBREVIATION_LOCALES = ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-ZA', 'en-HK'];
/** Words that no English locale has, from the tz database. */
const ABBREVIATIONS: Readonly<Record<string, string>> = {
  'Asia/Tokyo': 'JST',
  'Asia/Seoul': 'KST',
  'Asia/Shanghai': 'CST',
  'Europe/Moscow': 'MSK',
};
/** Seconds that share one answer when both their ends have the same. */
const SPAN = 900;
/** The moments that a Date can have, in seconds. */
const LAST_SECOND = 8_640_000_000_000;
/** Spans that are remembered per zone. */
const REMEMBERED = 1000;

const zoneReader = (timeZone: string): Location['at'] => {
  const wall = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const names = ABBREVIATION_LOCALES.map(
    (locale) => new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: 'short' }),
  );
  const read = (unix: number): ZoneOffset => {
    const offset = offsetOf(wall, unix);
    return { offset, abbreviation: abbreviationOf(names, unix) ?? ABBREVIATIONS[timeZone] ?? numericName(offset) };
  };
  const spans = new Map<number, ZoneOffset>();
  return (moment) => {
    const unix = Math.min(Math.max(moment, -LAST_SECOND), LAST_SECOND);
    const span = Math.floor(unix / SPAN);
    const known = spans.get(span);
    if (known !== undefined) return known;
    const first = read(Math.max(span * SPAN, -LAST_SECOND));
    const last = read(Math.min(span * SPAN + SPAN - 1, LAST_SECOND));
    if (first.offset !== last.offset || first.abbreviation !== last.abbreviation) return read(unix);
    if (spans.size === REMEMBERED) spans.clear();
    spans.set(span, first);
    return first;
  };
};

/** What the clocks of the zone show, less the moment itself: exact to the second, also for old local times. */
const offsetOf = (wall: Intl.DateTimeFormat, unix: number): number => {
  const parts: Record<string, string> = {};
  for (const { type, value } of wall.formatToParts(unix * 1000)) parts[type] = value;
  const year = parts.era?.startsWith('B') ? 1 - Number(parts.year) : Number(parts.year);
  const shown = new Date(0);
  shown.setUTCFullYear(year, Number(parts.month) - 1, Number(parts.day));
  shown.setUTCHours(Number(parts.hour), Number(parts.minute), Number(parts.second));
  return shown.getTime() / 1000 - Math.floor(unix);
};

const abbreviationOf = (names: readonly Intl.DateTimeFormat[], unix: number): string | undefined => {
  for (const name of names) {
    const text = name.formatToParts(unix * 1000).find((part) => part.type === 'timeZoneName')?.value;
    if (text !== undefined && /^[A-Z]+$/.test(text)) return text;
  }
  return undefined;
};

/** The tz database's own way: `+03`, `-0330`. */
const numericName = (offset: number): string => {
  const minutes = Math.floor(Math.abs(offset) / 60);
  const hours = String(Math.floor(minutes / 60)).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${hours}${minutes % 60 === 0 ? '' : String(minutes % 60).padStart(2, '0')}`;
};
