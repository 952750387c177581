export { ERROR_CATALOGUE, type ErrorCode, type ErrorEntry } from "./catalogue.ts";
export { type ErrorDetails, HuskError, isHuskError, messageOf, systemCode } from "./husk-error.ts";
export { renderErrorCatalogue } from "./render-catalogue.ts";
