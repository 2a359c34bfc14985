/** The address of a script that Vite bundles by itself. */
declare module "*?worker&url" {
  const url: string;
  export default url;
}
