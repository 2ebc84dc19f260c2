/** Masks the password in each `scheme://user:password@host` of a text. */
export function maskPasswords(text: string): string {
  return text.includes('://') ? text.replace(/(:\/\/[^\s:/?#@"]*):[^\s/?#@"]*@/g, '$1:***@') : text;
}
