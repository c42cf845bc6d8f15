import type { CharacterTest } from './characters.ts';
import { type Assertion, isWord, type Node, PatternError, parsePattern } from './syntax.ts';

type Instruction =
  | { readonly type: 'character'; readonly test: CharacterTest }
  | { readonly type: 'assertion'; readonly of: Assertion }
  | { readonly type: 'split'; readonly targets: readonly number[] }
  | { readonly type: 'match' };

/** What counted repetitions may add up to: time is this times the length of the text, at worst. */
const MAX_INSTRUCTIONS = 5000;

/** Whether a text holds a match, anywhere. */
export type Matcher = (text: string) => boolean;

/**
 * An expression in RE2's syntax, matched as RE2 does: all alternatives advance together over the text, in time linear in
 * its length, so that no pattern can hold up the program, whoever wrote it. JavaScript's own engine tries one alternative
 * after the other, which some patterns make last for ever.
 * @throws PatternError saying what is wrong: back-references and look-around among others, which have no such bound.
 */
export const regularExpression = (pattern: string): Matcher => {
  const program = compile(parsePattern(pattern));
  return (text) => run(program, text);
};

const compile = (root: Node): readonly Instruction[] => {
  const program: Instruction[] = [];
  const emit = (instruction: Instruction): number => {
    if (program.length >= MAX_INSTRUCTIONS) throw new PatternError('it is too large. Use smaller repetitions');
    return program.push(instruction) - 1;
  };
  const write = (node: Node): void => {
    switch (node.type) {
      case 'character':
      case 'assertion':
        emit(node);
        return;
      case 'sequence':
        for (const item of node.items) write(item);
        return;
      case 'alternatives': {
        const starts: number[] = [];
        emit({ type: 'split', targets: starts });
        const ends: number[][] = [];
        for (const item of node.items) {
          starts.push(program.length);
          write(item);
          const end: number[] = [];
          emit({ type: 'split', targets: end });
          ends.push(end);
        }
        for (const end of ends) end.push(program.length);
        return;
      }
      case 'repetition': {
        const { item, min, max } = node;
        for (let i = 0; i < min; i += 1) write(item);
        if (max === Number.POSITIVE_INFINITY) {
          const targets: number[] = [program.length + 1];
          const loop = emit({ type: 'split', targets });
          write(item);
          emit({ type: 'split', targets: [loop] });
          targets.push(program.length);
          return;
        }
        const exits: number[][] = [];
        for (let i = min; i < max; i += 1) {
          const targets: number[] = [program.length + 1];
          emit({ type: 'split', targets });
          exits.push(targets);
          write(item);
        }
        for (const targets of exits) targets.push(program.length);
      }
    }
  };
  write(root);
  emit({ type: 'match' });
  return program;
};

/** The positions in the program that one place of the text has reached. */
interface Reached {
  readonly at: number[];
  readonly seen: Uint8Array;
}

const run = (program: readonly Instruction[], text: string): boolean => {
  let current: Reached = { at: [], seen: new Uint8Array(program.length) };
  let next: Reached = { at: [], seen: new Uint8Array(program.length) };
  let before: number | undefined;
  for (let i = 0; ; ) {
    const here = text.codePointAt(i);
    if (reach(program, current, 0, before, here)) return true;
    if (here === undefined) return false;
    i += here > 0xffff ? 2 : 1;
    const after = text.codePointAt(i);
    for (const at of current.at) {
      const instruction = program[at];
      if (instruction?.type === 'character' && instruction.test(here) && reach(program, next, at + 1, here, after)) {
        return true;
      }
    }
    current.at.length = 0;
    current.seen.fill(0);
    [current, next] = [next, current];
    before = here;
  }
};

/** Adds `start` and all that follows it without reading a character; true when that is the end of the pattern. */
const reach = (
  program: readonly Instruction[],
  into: Reached,
  start: number,
  before: number | undefined,
  after: number | undefined,
): boolean => {
  const pending = [start];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (into.seen[at] === 1) continue;
    into.seen[at] = 1;
    const instruction = program[at] as Instruction;
    if (instruction.type === 'match') return true;
    if (instruction.type === 'character') into.at.push(at);
    else if (instruction.type === 'split') pending.push(...instruction.targets);
    else if (holds(instruction.of, before, after)) pending.push(at + 1);
  }
  return false;
};

const NEWLINE = 10;
const holds = (assertion: Assertion, before: number | undefined, after: number | undefined): boolean => {
  switch (assertion) {
    case 'textStart':
      return before === undefined;
    case 'textEnd':
      return after === undefined;
    case 'lineStart':
      return before === undefined || before === NEWLINE;
    case 'lineEnd':
      return after === undefined || after === NEWLINE;
    case 'wordBoundary':
      return isWord(before) !== isWord(after);
    case 'noWordBoundary':
      return isWord(before) === isWord(after);
  }
};
