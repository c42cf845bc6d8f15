import type { Lsn } from '../pgoutput/lsn.ts';
import type { PgOutputMessage, Relation, RowMessage } from '../pgoutput/messages.ts';
import { TRACE_MESSAGE } from '../port.ts';

/** One committed transaction. */
export interface TransactionHead {
  readonly xid: number;
  readonly commitLsn: Lsn;
  readonly commitTime: number;
}
/** A row, or a relation that was emptied. */
export type RelationChange = RowMessage | { readonly tag: 'truncate'; readonly relation: Relation };
export interface TransactionChange {
  readonly message: RelationChange;
  /** As text. */
  readonly lsn: string;
  readonly bytes: number;
  /** Of the mark before it in its transaction. */
  readonly traceparent: string | undefined;
}

/** Is told of committed transactions only, one after the other, in the order of their commits. */
export interface TransactionSink {
  begin(head: TransactionHead): void;
  change(change: TransactionChange): void;
  commit(endLsn: Lsn): void;
}

interface Streamed {
  readonly changes: (TransactionChange & { readonly subxid: number })[];
  traceparent: string | undefined;
}

/**
 * Puts the messages of one stream together. A transaction that the server streams while it is in progress is kept until it
 * commits; what was rolled back, a savepoint alone too, is dropped.
 */
export const transactionAssembler = (
  sink: TransactionSink,
): ((message: PgOutputMessage, lsn: string, bytes: number) => void) => {
  const streamed = new Map<number, Streamed>();
  let current: Streamed | undefined;
  let traceparent: string | undefined;

  const change = (message: RelationChange, xid: number | undefined, lsn: string, bytes: number): void => {
    if (current === undefined) sink.change({ message, lsn, bytes, traceparent });
    else current.changes.push({ message, lsn, bytes, traceparent: current.traceparent, subxid: xid ?? 0 });
  };
  const mark = (content: Uint8Array): void => {
    const text = Buffer.from(content).toString('latin1');
    if (current === undefined) traceparent = text;
    else current.traceparent = text;
  };
  const commitStreamed = ({ xid, commitLsn, endLsn, commitTime }: PgOutputMessage & { tag: 'stream_commit' }): void => {
    const changes = streamed.get(xid)?.changes ?? [];
    streamed.delete(xid);
    sink.begin({ xid, commitLsn, commitTime });
    for (const one of changes) sink.change(one);
    sink.commit(endLsn);
  };
  const abort = ({ xid, subxid }: PgOutputMessage & { tag: 'stream_abort' }): void => {
    if (xid === subxid) {
      streamed.delete(xid);
      return;
    }
    const of = streamed.get(xid);
    if (of === undefined) return;
    const kept = of.changes.filter((one) => one.subxid !== subxid);
    of.changes.length = 0;
    for (const one of kept) of.changes.push(one);
  };

  return (message, lsn, bytes) => {
    switch (message.tag) {
      case 'begin':
        traceparent = undefined;
        sink.begin({ xid: message.xid, commitLsn: message.finalLsn, commitTime: message.commitTime });
        return;
      case 'commit':
        sink.commit(message.endLsn);
        return;
      case 'insert':
      case 'update':
      case 'delete':
        change(message, message.xid, lsn, bytes);
        return;
      case 'truncate':
        for (const relation of message.relations) change({ tag: 'truncate', relation }, message.xid, lsn, bytes);
        return;
      case 'message':
        if (message.transactional && message.prefix === TRACE_MESSAGE) mark(message.content);
        return;
      case 'stream_start':
        current = streamed.get(message.xid) ?? { changes: [], traceparent: undefined };
        streamed.set(message.xid, current);
        return;
      case 'stream_stop':
        current = undefined;
        return;
      case 'stream_commit':
        commitStreamed(message);
        return;
      case 'stream_abort':
        abort(message);
        return;
      default: // relation, type, origin: the parser has read what we need of them
    }
  };
};
