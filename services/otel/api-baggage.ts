import { type Baggage, type BaggageEntry, baggageEntryMetadataFromString, propagation } from '@opentelemetry/api';
import { isMember, isToken } from './baggage.ts';

/** What is no valid percent-encoding stays as it came. */
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // `%` on its own: a fatal decoder has no other way to say so
  }
};

/** The members of a `baggage` header as the API's object. */
export const toApiBaggage = (members: readonly string[]): Baggage => {
  const entries: Record<string, BaggageEntry> = Object.create(null); // `__proto__` is a key like any other
  for (const member of members) {
    const [pair = '', ...properties] = member.split(';');
    const equals = pair.indexOf('=');
    const value = decoded(pair.slice(equals + 1).trim());
    const metadata = properties.length === 0 ? undefined : baggageEntryMetadataFromString(properties.join(';'));
    entries[pair.slice(0, equals).trim()] = metadata === undefined ? { value } : { value, metadata };
  }
  return propagation.createBaggage(entries);
};

/** The API takes any text for a key: one that no header can hold is encoded, and left out where that does not help. */
export const fromApiBaggage = (baggage: Baggage): readonly string[] =>
  baggage
    .getAllEntries()
    .map(([key, { value, metadata }]) => {
      const properties = metadata === undefined ? '' : `;${metadata.toString()}`;
      return `${isToken(key) ? key : encoded(key)}=${encoded(value)}${properties}`;
    })
    .filter((member) => isMember(member));

const encoded = (text: string): string => encodeURIComponent(text.toWellFormed()); // half a surrogate pair throws
