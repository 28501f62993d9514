"""face-alignment's own networks, a BlazeFace and a one-stack FAN, trained on renders.

stills > textures, looks, views (what a network is shown) > blazeface, fan > figures, train.
"""
