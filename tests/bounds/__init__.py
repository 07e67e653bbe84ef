"""Whatever a request holds, it is answered: a page says what it left out, a file and a key refuse."""
