// Preloaded into the processes under test (with --expose-gc): at SIGUSR2 they collect all garbage, so that what is
// measured afterwards is what they keep.
process.on('SIGUSR2', () => {
  globalThis.gc?.({ type: 'major', flavor: 'last-resort', execution: 'sync' });
});
