/** The other end of `startChild`: says that this process is ready, then answers one question at a time. */
export const answer = (handle: (question: unknown) => unknown): void => {
  const send = (message: object): void => void process.send?.(message);
  process.on('message', (question) => {
    Promise.resolve()
      .then(() => handle(question))
      .then(
        (value) => send({ value }),
        (error: unknown) => send({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
      );
  });
  process.on('disconnect', () => process.exit(0)); // whoever asked is gone
  send({});
};
