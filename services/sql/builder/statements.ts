import { invalid } from '../../../runtime/errors.ts';
import { hostObject, type LuaValue } from '../../../runtime/lua/values.ts';
import { argumentValue, type Fragment, joined, Part, type PlaceholderFormat, QUESTION, written } from './fragment.ts';

/** What the four statements are made of; each uses what it has methods for. */
export interface StatementState {
  readonly format: PlaceholderFormat;
  readonly table: string;
  readonly columns: readonly string[];
  readonly options: readonly string[];
  readonly isDistinct: boolean;
  readonly prefixes: readonly Part[];
  readonly joins: readonly Part[];
  readonly where: readonly Part[];
  readonly groupBy: readonly string[];
  readonly having: readonly Part[];
  readonly orderBy: readonly string[];
  readonly limit: number | undefined;
  readonly offset: number | undefined;
  readonly suffixes: readonly Part[];
  /** `insert`: rows. */
  readonly rows: readonly (readonly LuaValue[])[];
  /** `insert ... select`. */
  readonly select: Part | undefined;
  /** `update`: columns and values, in order. */
  readonly set: readonly (readonly [column: string, value: LuaValue])[];
  /** `update ... from`. */
  readonly source: Part | undefined;
}
const EMPTY: StatementState = {
  format: QUESTION,
  table: '',
  columns: [],
  options: [],
  isDistinct: false,
  prefixes: [],
  joins: [],
  where: [],
  groupBy: [],
  having: [],
  orderBy: [],
  limit: undefined,
  offset: undefined,
  suffixes: [],
  rows: [],
  select: undefined,
  set: [],
  source: undefined,
};

/** Immutable: `with` gives a new one of the same class. */
export abstract class StatementBuilder extends Part {
  readonly [hostObject] = true as const;
  readonly state: StatementState;
  constructor(state: Partial<StatementState> = {}) {
    super();
    this.state = { ...EMPTY, ...state };
  }
  with(change: Partial<StatementState>): this {
    const make = this.constructor as new (state: StatementState) => this;
    return new make({ ...this.state, ...change });
  }
}

const plain = (text: string): Fragment => ({ text, args: [] });
const list = (keyword: string, parts: readonly string[]): Fragment[] =>
  parts.length === 0 ? [] : [plain(`${keyword} ${parts.join(', ')}`)];
const conjunction = (keyword: string, parts: readonly Part[]): Fragment[] => {
  const { text, args } = joined(written(parts), ' AND ');
  if (text === '') return [];
  return [{ text: `${keyword} ${text}`, args }];
};
const rendered = (parts: readonly Part[]): Fragment[] => parts.map((part) => part.render());
/** What may stand at the end of all but an insert. */
const tail = ({ orderBy, limit, offset, suffixes }: StatementState): Fragment[] => [
  ...list('ORDER BY', orderBy),
  ...(limit === undefined ? [] : [plain(`LIMIT ${limit}`)]),
  ...(offset === undefined ? [] : [plain(`OFFSET ${offset}`)]),
  ...rendered(suffixes),
];
const values = (row: readonly LuaValue[]): Fragment => {
  const { text, args } = joined(
    row.map((value) => {
      // An expression is written in place of its value: `set('n', builder.expr('n + ?', 1))`.
      if ((value as unknown) instanceof Part) return (value as unknown as Part).render();
      return { text: '?', args: [argumentValue(value)] };
    }),
    ',',
  );
  return { text: `(${text})`, args };
};

export class SelectBuilder extends StatementBuilder {
  render(): Fragment {
    const { state } = this;
    if (state.columns.length === 0) throw invalid('select statements must have at least one result column');
    return joined(
      [
        plain(`SELECT ${state.isDistinct ? 'DISTINCT ' : ''}${state.columns.join(', ')}`),
        ...(state.table === '' ? [] : [plain(`FROM ${state.table}`)]),
        ...rendered(state.joins),
        ...conjunction('WHERE', state.where),
        ...list('GROUP BY', state.groupBy),
        ...conjunction('HAVING', state.having),
        ...tail(state),
      ],
      ' ',
    );
  }
}

export class InsertBuilder extends StatementBuilder {
  render(): Fragment {
    const { state } = this;
    if (state.table === '') throw invalid('insert statements must specify a table');
    if (state.select === undefined && (state.rows.length === 0 || state.rows.some((row) => row.length === 0))) {
      throw invalid('insert statements must have at least one set of values or select clause');
    }
    const options = state.options.length === 0 ? '' : `${state.options.join(' ')} `;
    const columns = state.columns.length === 0 ? '' : ` (${state.columns.join(',')})`;
    const source = state.select?.render() ?? joined(state.rows.map(values), ',');
    return joined(
      [
        ...rendered(state.prefixes),
        plain(`INSERT ${options}INTO ${state.table}${columns}`),
        state.select === undefined ? { text: `VALUES ${source.text}`, args: source.args } : source,
        ...rendered(state.suffixes),
      ],
      ' ',
    );
  }
}

export class UpdateBuilder extends StatementBuilder {
  render(): Fragment {
    const { state } = this;
    if (state.table === '') throw invalid('update statements must specify a table');
    if (state.set.length === 0) throw invalid('update statements must have at least one set clause');
    const set = joined(
      state.set.map(([column, value]) => {
        if (!((value as unknown) instanceof Part)) return { text: `${column} = ?`, args: [argumentValue(value)] };
        const { text, args } = (value as unknown as Part).render();
        return { text: `${column} = ${(value as unknown) instanceof SelectBuilder ? `(${text})` : text}`, args };
      }),
      ', ',
    );
    return joined(
      [
        plain(`UPDATE ${state.table}`),
        { text: `SET ${set.text}`, args: set.args },
        ...(state.source === undefined ? [] : [state.source.render()]),
        ...conjunction('WHERE', state.where),
        ...tail(state),
      ],
      ' ',
    );
  }
}

export class DeleteBuilder extends StatementBuilder {
  render(): Fragment {
    const { state } = this;
    if (state.table === '') throw invalid('delete statements must specify a table');
    return joined([plain(`DELETE FROM ${state.table}`), ...conjunction('WHERE', state.where), ...tail(state)], ' ');
  }
}
