import type { Call, CallSite } from '../../runtime/call.ts';
import { isRetried } from '../../runtime/call-options.ts';
import { telemetryMessageOf } from '../../runtime/errors.ts';
import type { Attributes, SpanLink } from '../../runtime/trace.ts';
import type { Captured, Op } from './change.ts';
import { cdcProcessDuration } from './instruments.ts';
import type { CdcSource } from './source.ts';

/** One change on its way through a consumer. */
export interface Delivery {
  readonly captured: Captured;
  /** It is handled: the position may move beyond it. */
  readonly done: () => void;
  /** That have begun. */
  attempts: number;
}

/** What makes the site's calls tell where the change's writer was. */
export type LinksOf = (captured: Captured) => readonly SpanLink[];

/** The closed set of FaaS. A truncate deletes; a row of a snapshot is new to whoever gets it. */
const OPERATIONS: Readonly<Record<Op, string>> = {
  insert: 'insert',
  update: 'edit',
  delete: 'delete',
  truncate: 'delete',
  snapshot: 'insert',
};

/** Of the handler's span (conventions.md, section 5). */
export const handlerAttributes = ({ database }: CdcSource, { change, commitTime }: Captured): Attributes => ({
  'faas.trigger': 'datasource',
  'faas.document.collection': database,
  'faas.document.name': change.relation,
  'faas.document.operation': OPERATIONS[change.op],
  'faas.document.time': new Date(commitTime).toISOString(),
});

/** The attempts of a consumer: metrics and the one line of each change; a span only where it is asked for. */
export const consumerSite = (
  source: CdcSource,
  consumer: { readonly id: string; readonly target: string },
  linksOf: LinksOf | undefined,
): CallSite<Delivery, void> => ({
  surface: 'cdc',
  operation: 'process',
  target: consumer.id,
  component: source.id,
  options: { onTimeout: () => {} }, // only `retry` can be given here
  ...(linksOf !== undefined && {
    span: {
      name: consumer.id,
      kind: 'consumer',
      attributes: { 'db.system.name': source.system, 'db.namespace': source.database },
      detail: ({ input }) => ({
        name: `process ${input.captured.change.relation}`,
        attributes: {
          'db.collection.name': input.captured.change.table,
          'db.operation.name': input.captured.change.op,
        },
        links: linksOf(input.captured),
      }),
    },
  }),
  metrics: {
    labels: { slot: source.label },
    duration: cdcProcessDuration,
    outcome: { label: 'result', of: () => 'ok', ofError: () => 'error' },
  },
  log: {
    subsystem: 'cdc',
    message: 'change processed',
    fields: { source: source.id, consumer: consumer.id, target: consumer.target },
    line(outcome, call) {
      const { change } = call.input.captured;
      const fields = { relation: change.relation, op: change.op, lsn: change.lsn };
      const attempted = (call.attempt ?? 1) > 1 ? { ...fields, attempt: call.attempt } : fields;
      if (outcome.ok) return { level: 'info', fields: attempted };
      const level = willComeAgain(call, outcome.error) ? 'warn' : 'error';
      return { level, fields: { ...attempted, error: telemetryMessageOf(outcome.error) } };
    },
  },
});

const willComeAgain = ({ options, attempt = 1, context }: Call<Delivery>, error: unknown): boolean =>
  options?.retry !== undefined && attempt < options.retry.max_attempts && isRetried(options.retry, error, context);
