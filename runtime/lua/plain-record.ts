import { internal } from '../errors.ts';

/**
 * An object of a class whose fields say nothing of it (a Date, a Map, a promise, an Error) would reach Lua as an empty table, or as
 * one without its message. Records of any other class cross by their own fields.
 * @throws CallError Internal, retryable false.
 */
export const refuseOpaqueRecord = (record: object): void => {
  const prototype: object | null = Object.getPrototypeOf(record);
  // Plain in any realm: without a prototype, or with one that has none itself.
  if (prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null) return;
  const isOpaque = record instanceof Error || ArrayBuffer.isView(record) || Object.keys(record).length === 0;
  if (isOpaque) throw internal(`a ${prototype.constructor?.name ?? 'host object'} cannot be given to Lua`);
};
