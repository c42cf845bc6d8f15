import type { Lsn } from './lsn.ts';

/** A value that the server did not send again because the update left it as it was (a large value stored out of line). */
export const UNCHANGED: unique symbol = Symbol('unchanged');
/** In the order of the relation's columns. Text form; null is NULL. Bytes: a value in binary, or text that is no UTF-8. */
export type Tuple = readonly (string | Uint8Array | null | typeof UNCHANGED)[];

export interface Column {
  readonly name: string;
  /** Part of the replica identity. */
  readonly isKey: boolean;
  readonly typeOid: number;
  readonly typeModifier: number;
}

export type ReplicaIdentity = 'default' | 'nothing' | 'full' | 'index';

export interface Relation {
  readonly tag: 'relation';
  /** Of the streamed transaction that it came in. */
  readonly xid: number | undefined;
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly identity: ReplicaIdentity;
  readonly columns: readonly Column[];
  /** `schema.name`. */
  readonly fullName: string;
  /** Where the columns of the replica identity stand. */
  readonly keyPositions: readonly number[];
}

/** `xid` of the messages below: the (sub)transaction within a stream block; undefined outside. */
export type PgOutputMessage =
  | { readonly tag: 'begin'; readonly finalLsn: Lsn; readonly commitTime: number; readonly xid: number }
  | { readonly tag: 'commit'; readonly commitLsn: Lsn; readonly endLsn: Lsn; readonly commitTime: number }
  | { readonly tag: 'origin'; readonly commitLsn: Lsn; readonly name: string }
  | Relation
  | {
      readonly tag: 'type';
      readonly xid: number | undefined;
      readonly oid: number;
      readonly schema: string;
      readonly name: string;
    }
  | RowMessage
  | {
      readonly tag: 'truncate';
      readonly xid: number | undefined;
      readonly relations: readonly Relation[];
      readonly cascade: boolean;
      readonly restartIdentity: boolean;
    }
  | {
      readonly tag: 'message';
      readonly xid: number | undefined;
      readonly transactional: boolean;
      readonly lsn: Lsn;
      readonly prefix: string;
      readonly content: Uint8Array;
    }
  | { readonly tag: 'stream_start'; readonly xid: number; readonly isFirst: boolean }
  | { readonly tag: 'stream_stop' }
  | {
      readonly tag: 'stream_commit';
      readonly xid: number;
      readonly commitLsn: Lsn;
      readonly endLsn: Lsn;
      readonly commitTime: number;
    }
  | { readonly tag: 'stream_abort'; readonly xid: number; readonly subxid: number };

/** One row of one relation. */
export type RowMessage =
  | { readonly tag: 'insert'; readonly xid: number | undefined; readonly relation: Relation; readonly after: Tuple }
  | {
      readonly tag: 'update';
      readonly xid: number | undefined;
      readonly relation: Relation;
      /** `key`: of an update that changed the replica identity: only its columns are set. */
      readonly before: { readonly of: 'key' | 'row'; readonly tuple: Tuple } | undefined;
      readonly after: Tuple;
    }
  | {
      readonly tag: 'delete';
      readonly xid: number | undefined;
      readonly relation: Relation;
      readonly before: { readonly of: 'key' | 'row'; readonly tuple: Tuple };
    };
