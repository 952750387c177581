const MS_PER_DAY = 86_400_000;
/** Days from the first of March of the year 0 to the first of January 1970. */
const DAYS_TO_1970 = 719_468;
/** Days of 400 years, after which the calendar begins anew. */
const DAYS_PER_ERA = 146_097;

/** Milliseconds since 1970 as in ISO 8601, UTC. The engine has no `Date`. */
export function formatTime(milliseconds: number): string {
  const whole = Math.floor(milliseconds);
  const days = Math.floor(whole / MS_PER_DAY);
  const inDay = whole - days * MS_PER_DAY;
  const seconds = Math.floor(inDay / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${formatDate(days)}T${pad(hours)}:${pad(minutes)}:${pad(seconds % 60)}.${pad(inDay % 1000, 3)}Z`;
}

/** Years are counted from March, so that the leap day is the last of its year. */
function formatDate(days: number): string {
  const since = days + DAYS_TO_1970;
  const era = Math.floor(since / DAYS_PER_ERA);
  const day = since - era * DAYS_PER_ERA;
  const leapDays = Math.floor(day / 1460) - Math.floor(day / 36_524) + Math.floor(day / (DAYS_PER_ERA - 1));
  const year = Math.floor((day - leapDays) / 365);
  const dayOfYear = day - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const month = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * month + 2) / 5) + 1;
  const isNextYear = month >= 10;
  return `${pad(era * 400 + year + (isNextYear ? 1 : 0), 4)}-${pad(isNextYear ? month - 9 : month + 3)}-${pad(dayOfMonth)}`;
}

function pad(number: number, digits = 2): string {
  return String(number).padStart(digits, "0");
}
