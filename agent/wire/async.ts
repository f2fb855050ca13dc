/** Names of the series on asynchronous resources. */

/** How many keep the program alive now, by LABEL_RESOURCE_TYPE: a type as process.getActiveResourcesInfo() tells it. */
export const SERIES_ACTIVE_RESOURCES = 'nodejs.active_resources';
export const LABEL_RESOURCE_TYPE = 'type';
