const PASSED_ON = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'];

/** The environment of a process of the stack: nothing of the caller's but where programs and the user's home are. */
export const childEnvironment = (own: Readonly<Record<string, string>> = {}): Record<string, string> => {
  const passedOn = PASSED_ON.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(passedOn), ...own };
};
