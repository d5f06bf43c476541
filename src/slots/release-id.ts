/** `r<UTC yyyymmddThhmmss>-<first 6 hex digits of the source hash>` */
export const RELEASE_ID = /^r\d{8}T\d{6}-[0-9a-f]{6}$/;
