import { layoutParts, MONTHS, SHORT, WEEKDAYS } from './layout.ts';
import { type CivilTime, civilTime, type Time } from './time.ts';

/** A time as a Go layout shows it. */
export const formatTime = (time: Time, layout: string): string => {
  const c = civilTime(time);
  let out = '';
  for (const part of layoutParts(layout)) {
    if (part.kind === 'literal') out += part.text;
    else if (part.kind === 'fraction') out += fractionText(c.nanosecond, part.text, part.point ?? '.');
    else out += tokenText(part.text, c);
  }
  return out;
};

const padded = (n: number, width: number, fill = '0'): string => {
  const text = String(Math.abs(n)).padStart(width, fill);
  return n < 0 ? `-${text}` : text;
};

const fractionText = (ns: number, digits: string, point: string): string => {
  const text = padded(ns, 9).padEnd(digits.length, '0').slice(0, digits.length);
  if (digits.startsWith('0')) return point + text;
  const short = text.replace(/0+$/, '');
  return short === '' ? '' : point + short;
};

const tokenText = (token: string, c: CivilTime): string => {
  switch (token) {
    case '2006':
      return padded(c.year, 4);
    case '06':
      return padded(((c.year % 100) + 100) % 100, 2);
    case 'January':
      return MONTHS[c.month - 1] ?? '';
    case 'Jan':
      return (MONTHS[c.month - 1] ?? '').slice(0, SHORT);
    case '01':
      return padded(c.month, 2);
    case '1':
      return String(c.month);
    case 'Monday':
      return WEEKDAYS[c.weekday] ?? '';
    case 'Mon':
      return (WEEKDAYS[c.weekday] ?? '').slice(0, SHORT);
    case '02':
      return padded(c.day, 2);
    case '_2':
      return padded(c.day, 2, ' ');
    case '2':
      return String(c.day);
    case '002':
      return padded(c.yearDay, 3);
    case '__2':
      return padded(c.yearDay, 3, ' ');
    case '15':
      return padded(c.hour, 2);
    case '03':
      return padded(c.hour % 12 || 12, 2);
    case '3':
      return String(c.hour % 12 || 12);
    case 'PM':
      return c.hour >= 12 ? 'PM' : 'AM';
    case 'pm':
      return c.hour >= 12 ? 'pm' : 'am';
    case '04':
      return padded(c.minute, 2);
    case '4':
      return String(c.minute);
    case '05':
      return padded(c.second, 2);
    case '5':
      return String(c.second);
    case 'MST':
      return c.abbreviation === '' ? offsetText('-0700', c.offset) : c.abbreviation;
    default:
      return token.startsWith('Z') && c.offset === 0 ? 'Z' : offsetText(token, c.offset);
  }
};

/** `-07:00` and its like: seconds, minutes and colons as the token has them. */
const offsetText = (token: string, offset: number): string => {
  const size = Math.abs(offset);
  const fields = [Math.floor(size / 3600), Math.floor((size % 3600) / 60), size % 60];
  const shown = fields.slice(0, token.replace(/[^\d]/g, '').length / 2).map((n) => padded(n, 2));
  return (offset < 0 ? '-' : '+') + shown.join(token.includes(':') ? ':' : '');
};
