/** Style sheets are esbuild's: imported, they become one file beside the script. */
declare module '*.css'
