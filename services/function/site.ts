import type { Call, CallSite } from '../../runtime/call.ts';
import type { Declared } from '../../runtime/entry.ts';
import type { LuaCallResult } from '../../runtime/lua/engine.ts';
import type { HostValue } from '../../runtime/lua/values.ts';
import { type SpanDetail, TRACE } from '../../runtime/trace.ts';
import { ASYNC_CALL } from './cancellation.ts';
import { functionCalls, functionDuration, functionInFlight } from './instruments.ts';
import type { FunctionConfig } from './kinds.ts';
import { CAUSE } from './port.ts';

export type FunctionArgs = readonly HostValue[];

/** A call that nothing caused is a root: `invoke`, a test, an embedding program. */
const ROOT: SpanDetail = { kind: 'server' };
const detail = ({ context, attempt }: Call<FunctionArgs>): SpanDetail | undefined => {
  const cause = context.get(CAUSE) ?? (context.get(TRACE) === undefined ? ROOT : undefined);
  if (attempt === undefined) return cause;
  return { ...cause, attributes: { ...cause?.attributes, 'wippy.attempt': attempt } };
};

/** The site of a function (telemetry.md, sections 1 and 2). It has no line: that of the request or message is the one. */
export const functionSite = (
  { id, entry, config }: Declared<FunctionConfig>,
  hasSpan: boolean,
  onTimeout: () => void,
): CallSite<FunctionArgs, LuaCallResult> => ({
  surface: 'function',
  operation: 'call',
  target: id,
  options: { onTimeout },
  ...(hasSpan && {
    span: {
      name: id,
      kind: 'internal',
      attributes: {
        'faas.name': id,
        'code.function.name': config.method,
        'code.file.path': entry.fileOf('source') ?? entry.file,
      },
      detail,
      started: (span, { context }) => {
        const async = context.get(ASYNC_CALL);
        if (async !== undefined) async.span = span;
      },
    },
  }),
  metrics: {
    labels: { function_id: id },
    calls: functionCalls,
    duration: functionDuration,
    inFlight: functionInFlight,
    outcome: { label: 'status', of: () => 'success', ofError: () => 'error' },
  },
});
