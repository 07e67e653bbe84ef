"""Every text that people read goes through gettext, so that a language is added by a catalogue alone."""
