import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from './cache-folder.ts';
import { runChild } from './child.ts';
import type { Scope } from './teardown.ts';

const moduleFolder = fileURLToPath(new URL('../e2e/jaeger/', import.meta.url));
const PACKAGE = 'github.com/jaegertracing/jaeger/cmd/jaeger';

/** One binary per content of go.mod and go.sum, Go version and platform. */
const binaryPath = (goVersion: string): string => {
  const hash = createHash('sha256').update(`${goVersion} ${process.platform} ${process.arch}\n`);
  for (const file of ['go.mod', 'go.sum']) hash.update(readFileSync(moduleFolder + file));
  return `${cacheFolder()}/jaeger-${hash.digest('hex').slice(0, 16)}`;
};

/**
 * The Jaeger built from `test/e2e/jaeger` with the Go toolchain, from the cache where it was built before.
 * @returns undefined when there is no Go toolchain.
 * @throws Error with the compiler's output when the build fails.
 */
export const goBuiltJaeger = async (scope: Scope, say: (line: string) => void): Promise<string | undefined> => {
  const version = await runChild(scope, 'go', ['env', 'GOVERSION'], { env: process.env });
  if (version.code !== 0) return undefined;
  const binary = binaryPath(version.stdout[0] ?? '');
  if (existsSync(binary)) {
    say(`Jaeger: ${binary}, built before`);
    return binary;
  }
  say(`Jaeger: building it with ${version.stdout[0]} (once; minutes) into ${binary}`);
  mkdirSync(cacheFolder(), { recursive: true });
  // Two builds at once must not see each other's half-written file: only the rename makes it visible.
  const unfinished = `${binary}.${process.pid}`;
  const env = { ...process.env, GOFLAGS: '-mod=readonly' };
  const args = ['build', '-buildvcs=false', '-trimpath', '-ldflags', '-s -w', '-o', unfinished, PACKAGE];
  const build = await runChild(scope, 'go', args, { cwd: moduleFolder, env });
  if (build.code !== 0) {
    rmSync(unfinished, { force: true });
    throw new Error(`go build of Jaeger failed:\n${build.stderr.slice(-20).join('\n')}`);
  }
  renameSync(unfinished, binary);
  return binary;
};
