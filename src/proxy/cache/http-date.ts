const DAYS = 'Mon|Tue|Wed|Thu|Fri|Sat|Sun';
const LONG_DAYS = 'Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday';
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH = MONTHS.join('|');
const TIME = String.raw`(\d{2}):(\d{2}):(\d{2})`;

/** RFC 9110 §5.6.7: the form that is sent, and two that older senders use. */
const IMF = new RegExp(`^(?:${DAYS}), (\\d{2}) (${MONTH}) (\\d{4}) ${TIME} GMT$`);
const RFC_850 = new RegExp(`^(?:${LONG_DAYS}), (\\d{2})-(${MONTH})-(\\d{2}) ${TIME} GMT$`);
const ASCTIME = new RegExp(`^(?:${DAYS}) (${MONTH}) ([ \\d]\\d) ${TIME} (\\d{4})$`);

/**
 * An HTTP date in milliseconds since 1970 (RFC 9110 §5.6.7).
 *
 * @param now for years of two digits: one more than 50 years ahead is a past one
 * @returns `null` for what is none; `Date.parse` would take almost anything
 */
export function parseHttpDate(text: string, now: number): number | null {
  const imf = IMF.exec(text);
  if (imf) return toTime(imf[3], imf[2], imf[1], imf.slice(4));
  const old = RFC_850.exec(text);
  if (old) return toTime(String(fullYear(Number(old[3]), now)), old[2], old[1], old.slice(4));
  const asctime = ASCTIME.exec(text);
  return asctime ? toTime(asctime[6], asctime[1], asctime[2], asctime.slice(3)) : null;
}

function fullYear(short: number, now: number): number {
  const thisYear = new Date(now).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + short;
  return year > thisYear + 50 ? year - 100 : year;
}

function toTime(
  year: string | undefined,
  month: string | undefined,
  day: string | undefined,
  [hour, minute, second]: string[],
): number | null {
  const time = Date.UTC(
    Number(year),
    MONTHS.indexOf(month as string),
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  // `Date.UTC` takes a 31st of February for a day in March.
  const isReal = new Date(time).getUTCDate() === Number(day) && Number(hour) < 24;
  return isReal && Number(minute) < 60 && Number(second) <= 60 ? time : null;
}
