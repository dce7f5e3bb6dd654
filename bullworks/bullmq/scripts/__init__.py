"""The Lua scripts of the engine, a typed method for each."""
