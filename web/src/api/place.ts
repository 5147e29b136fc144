/** Where the console is: the path of its root on this origin, such as /console/ or /ci/console/ behind a proxy. */
export const root = new URL(document.baseURI).pathname;

/** Where the server takes requests: the console lives one level below. */
export const endpoint = new URL("..", document.baseURI).href;
