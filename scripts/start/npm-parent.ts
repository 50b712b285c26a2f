/** npm puts a shell between itself and us, which passes no signal on; what we see is that our parent is gone. */
export function whenNpmIsGone(stop: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && stop(), 500).unref();
}
