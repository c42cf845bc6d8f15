/** How many items of a request a collector refused, and why. */
export interface PartialSuccess {
  readonly rejected: number;
  readonly errorMessage: string;
}
/** What a collector answers. */
export interface ExportResponse {
  readonly partialSuccess?: PartialSuccess;
}

const NOTHING: ExportResponse = {};

const partial = (rejected: number, errorMessage: string): ExportResponse =>
  rejected === 0 && errorMessage === '' ? NOTHING : { partialSuccess: { rejected, errorMessage } };

/** `Export*ServiceResponse` of all signals: field 1 is the partial success, with the number (1) and the reason (2). */
export const protobufResponse = (bytes: Uint8Array): ExportResponse => {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const byte = bytes[at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new Error('the answer ends within a number');
  };
  /** The end of a field's bytes. @throws Error on a wire type that the answer does not have. */
  const skip = (tag: number): number => {
    if ((tag & 7) === 2) return varint() + at;
    throw new Error(`wire type ${tag & 7} is not expected in an answer`);
  };

  let rejected = 0;
  let errorMessage = '';
  while (at < bytes.length) {
    const tag = varint();
    const end = skip(tag);
    if (tag !== 10) at = end; // not `partial_success`
    while (at < end) {
      const inner = varint();
      if ((inner & 7) === 0) {
        const value = varint();
        if (inner === 8) rejected = value;
        continue;
      }
      const until = skip(inner);
      if (inner === 18) errorMessage = Buffer.from(bytes.subarray(at, until)).toString();
      at = until;
    }
  }
  return partial(rejected, errorMessage);
};

/** OTLP/JSON; 64-bit numbers are texts. @throws SyntaxError on what is no JSON. */
export const jsonResponse = (bytes: Uint8Array): ExportResponse => {
  if (bytes.length === 0) return NOTHING;
  const answer = JSON.parse(Buffer.from(bytes).toString()) as { partialSuccess?: Record<string, unknown> } | null;
  const { partialSuccess = {} } = answer ?? {};
  const rejected = Number(partialSuccess.rejectedSpans ?? partialSuccess.rejectedDataPoints ?? 0);
  return partial(Number.isFinite(rejected) ? rejected : 0, String(partialSuccess.errorMessage ?? ''));
};
