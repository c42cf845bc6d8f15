import { invalid } from '../../runtime/errors.ts';
import { textArgument } from '../../runtime/lua/arguments.ts';
import { crossing } from '../../runtime/lua/crossing.ts';
import type { LuaValue } from '../../runtime/lua/values.ts';

/** Arguments from `first` on, as they are on the other side (lua/conventions.md, section 5). */
export const crossingFrom = (args: readonly LuaValue[], first: number): LuaValue[] => {
  const crossed: LuaValue[] = [];
  for (let i = first - 1; i < args.length; i += 1) crossed.push(crossing(args[i]));
  return crossed;
};

/** What a message holds. Trailing nils are dropped: `send(to, topic, payload:data())` sends `value, nil` and means the value. */
export const messageValues = (args: readonly LuaValue[], first: number): LuaValue[] => {
  const values = crossingFrom(args, first);
  while (values.length > 1 && args[first - 2 + values.length] === undefined) values.pop();
  return values;
};

/** @throws CallError Invalid where fewer than `count` were given. */
export const atLeast = (args: readonly LuaValue[], count: number, usage: string): void => {
  if (args.length < count)
    throw invalid(`${usage}: at least ${count} ${count === 1 ? 'argument' : 'arguments'} needed`);
};

/** A topic that a program may use. @throws CallError Invalid for `@` topics, which are the platform's. */
export const topicArgument = (args: readonly LuaValue[], position: number, name: string, verb: string): string => {
  const topic = textArgument(args, position, name);
  if (topic.startsWith('@')) throw invalid(`cannot ${verb} @ topics`);
  return topic;
};
