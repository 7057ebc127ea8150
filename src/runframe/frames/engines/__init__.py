"""Engines that frames are handed to; each is imported only when it is asked for."""
