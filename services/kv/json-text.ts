import type { HostData } from '../../runtime/codec/host-data.ts';
import { invalid } from '../../runtime/errors.ts';

/** JSON text, for backends of this `kind` that keep it. @throws CallError Invalid for bytes that no JSON text can hold. */
export const jsonText = (value: HostData, kind: string): string =>
  JSON.stringify(value, (_key, member: unknown) => {
    if (member instanceof Uint8Array) {
      throw invalid(`value must be valid UTF-8 for ${kind}. Encode bytes, as base64 for example.`);
    }
    return member;
  });
