#!/usr/bin/env node
// Plain JavaScript that old Node.js versions can read: it has to tell their users what is missing.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;
const inPackage = (path) => new URL(`../${path}`, import.meta.url);

// The published package holds dist/ alone, because Node.js strips no types under node_modules.
// A checkout runs its sources, whatever an earlier build left in dist/.
const source = inPackage('boot/cli.ts');
const isCheckout = existsSync(source);

/** Runs this file again with the Node.js that `npm ci` put beside it. */
const runWith = (node) => {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends Ctrl+C to the child as well; passing it on would make it the second signal, which ends it at once.
  const fromTerminal = process.stdin.isTTY === true ? ['SIGINT'] : [];
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (!fromTerminal.includes(signal)) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`perilune: ${node} does not start: ${error.message}. Run \`npm ci\` again.\n`);
    process.exitCode = 2;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 1;
    if (signal !== null) process.stderr.write(`perilune: ended by ${signal}\n`);
  });
};

const refuse = () => {
  const remedy = isCheckout
    ? 'Run `npm ci` in this folder: it brings Node.js 24 along.'
    : 'Install it from https://nodejs.org, or run `npm exec --package=node@24 --package=perilune -- perilune`.';
  process.stderr.write(
    `perilune: needs Node.js ${NEEDED} or newer, found ${process.version} (${process.execPath}). ${remedy}\n`,
  );
  process.exitCode = 2;
};

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  // Compiled code and stripped types are kept from one start to the next: it takes a third off a start.
  // `npm ci` in a checkout runs `validate` for this (package.json, `prepare`), so that the first start is fast as well.
  const { enableCompileCache } = await import('node:module');
  enableCompileCache();
  const streams = [process.stdout, process.stderr];
  // A reader that has had enough (`| head`) is no error of ours, and nobody is left to be told.
  for (const stream of streams) {
    stream.on('error', (error) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  const { main } = await import((isCheckout ? source : inPackage('dist/boot/cli.js')).href);
  const code = await main(process.argv.slice(2));
  // Everything written goes out first; then nothing that was left open can keep a finished command alive.
  const unwritten = streams.filter((stream) => stream.writableLength > 0);
  await Promise.all(unwritten.map((stream) => new Promise((resolve) => stream.write('', () => resolve()))));
  process.exit(code);
} else {
  const local = fileURLToPath(inPackage('node_modules/node/bin/node'));
  if (isCheckout && existsSync(local)) runWith(local);
  else refuse();
}
