const long = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
const short = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

export const longDate = (date: Date) => long.format(date);
export const shortDate = (date: Date) => short.format(date);
export const isoDate = (date: Date) => date.toISOString().slice(0, 10);
