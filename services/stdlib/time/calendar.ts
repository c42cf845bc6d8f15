/** Seconds from 1970-01-01 back to the zero time, 0001-01-01 00:00:00 UTC. */
export const ZERO_TIME_SECONDS = -62_135_596_800;
export const DAY_SECONDS = 86_400;
export const NANOSECONDS = 1_000_000_000;

export interface CivilDate {
  readonly year: number;
  /** 1-12. */
  readonly month: number;
  readonly day: number;
}

/** Days from 1970-01-01 to a day of the proleptic Gregorian calendar; a day outside the month counts on from it. */
export const daysFromCivil = (year: number, month: number, day: number): number => {
  // Years begin in March here, so that the leap day is the last; an era is the 400 years after which all repeats.
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
};

export const civilFromDays = (days: number): CivilDate => {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return { year, month, day: dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1 };
};

export const daysInMonth = (year: number, month: number): number =>
  daysFromCivil(month === 12 ? year + 1 : year, month === 12 ? 1 : month + 1, 1) - daysFromCivil(year, month, 1);

/** Wall-clock seconds (as if it were UTC) of parts that may be out of range: month 13 is the next January. */
export const wallSeconds = (
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number => {
  const carry = Math.floor((month - 1) / 12);
  const days = daysFromCivil(year + carry, month - carry * 12, 1) + day - 1;
  return days * DAY_SECONDS + hour * 3600 + minute * 60 + second;
};
