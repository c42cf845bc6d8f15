import { portKey } from '../../runtime/env.ts';

/** The registered environment variables (`env.variable` entries) and the storages behind them (lua/env.md). */
export interface EnvVariables {
  /**
   * The value of a registered variable: by public name, by entry id, or by bare name within `namespace`.
   * @throws CallError NotFound `environment variable not found` when there is no such variable, or neither value nor default.
   */
  get(name: string, namespace?: string): string;
  /** Writes through to the variable's storage. @throws CallError PermissionDenied, NotFound, or Invalid for a text that the storage cannot hold. */
  set(name: string, value: string, namespace?: string): void;
  /** Everything that any registered storage lists, declared as a variable or not. */
  all(): Readonly<Record<string, string>>;
  /** For placeholders and `<field>_env` keys: the registered variable, else that of the program's environment, else undefined. An empty value counts as none. */
  resolve(name: string, namespace?: string): string | undefined;
}
export const ENV = portKey<EnvVariables>('env');
