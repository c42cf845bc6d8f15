const DATE_TIME =
  /^(\d{4,})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?)? ?(Z|UTC|[+-]\d{2}(?::?\d{2}){0,2})?$/;

/** Milliseconds of an offset such as `+02`, `-03:30`, `+0530`, `+00:19:32`. */
const offsetMs = (text: string): number => {
  const [hours = 0, minutes = 0, seconds = 0] = (text.slice(1).replaceAll(':', '').match(/\d{2}/g) ?? []).map(Number);
  return (text.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds) * 1000;
};
const two = (n: number): string => String(n).padStart(2, '0');

/**
 * A date, with or without a time, as databases write it (ISO order), in RFC 3339 and UTC: `2024-01-02 03:04:05.000006+02`
 * is `2024-01-02T01:04:05.000006Z`. The fraction stays as it is, whatever its length. What is no such text (`infinity`, a
 * year before Christ) is undefined.
 */
export const rfc3339 = (text: string): string | undefined => {
  const match = DATE_TIME.exec(text);
  if (match === null) return undefined;
  const [, year = '', month = '', day = '', hour = '00', minute = '00', second = '00', fraction, zone] = match;
  if (Number(month) > 12 || Number(day) > 31 || Number(hour) > 24) return undefined;
  const part = fraction === undefined || /^0+$/.test(fraction) ? '' : `.${fraction}`;
  if (zone === undefined || zone === 'Z' || zone === 'UTC' || !/[1-9]/.test(zone)) {
    return `${year}-${month}-${day}T${hour}:${minute}:${second}${part}Z`;
  }
  const shifted = new Date(0);
  shifted.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  shifted.setUTCHours(Number(hour), Number(minute), Number(second));
  const at = new Date(shifted.getTime() - offsetMs(zone));
  const date = `${String(at.getUTCFullYear()).padStart(4, '0')}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
  return `${date}T${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}${part}Z`;
};
