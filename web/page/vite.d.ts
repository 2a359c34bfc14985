/** What Vite makes of an import: the address of a script that is bundled by itself. */
declare module "*?worker&url" {
  const url: string;
  export default url;
}
