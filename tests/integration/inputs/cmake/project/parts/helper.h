/* The caller frees the text; NULL when there is no memory. */
char *helper_describe(int given, int answer);
