import type { HostData } from '../../runtime/codec/host-data.ts';
import { invalid } from '../../runtime/errors.ts';

/** JSON text, for backends of this `kind` that keep it. @throws CallError Invalid for bytes and numbers that no JSON text can hold. */
export const jsonText = (value: HostData, kind: string): string =>
  JSON.stringify(value, (_key, member: unknown) => {
    if (member instanceof Uint8Array) {
      throw invalid(`value must be valid UTF-8 for ${kind}. Encode bytes, as base64 for example.`);
    }
    if (typeof member === 'number' && !Number.isFinite(member)) {
      throw invalid(`value must be finite for ${kind}: JSON has no ${member}. Store it as text.`); // it would come back as nil
    }
    return member;
  });
