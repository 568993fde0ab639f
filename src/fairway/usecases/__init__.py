"""One public function per command or question: load, ask the domain, record."""
