"""Where metrics come from, and the language of conditions over them; loaded by name, because few services need them."""
