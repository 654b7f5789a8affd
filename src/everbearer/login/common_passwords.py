"""Words and sequences that common passwords are made of; matched with whatever digits surround them (ASVS 6.2.4)."""

from __future__ import annotations

_ROWS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
    "q1w2e3r4t5y6u7i8o9p0",
    "a1b2c3d4e5f6g7h8",
    "abc123def456",
    "zxcvbnmasdfghjkl",
    "147258369",
    "123654789",
    "789456123",
)

SEQUENCES = (*_ROWS, *(row[::-1] for row in _ROWS))

_WORDS = """
access account admin administrator adminadmin alexander america amanda andrea andrew angel angela anthony apple
arsenal ashley asdf asdfasdf asdfgh asdfghjkl asdfqwer austin babygirl bailey banana baseball basketball batman
beautiful benjamin bigdaddy biteme blink blowjob bonjour brandon buster butterfly caroline changeit changeme
charlie charlotte cheese chelsea chocolate chris christian christopher cocacola codeword computer cookie cowboy
creative crystal daniel danielle default defaultpassword demo diamond doctor dolphin donald dragon dropbox
eagles einstein elephant elizabeth eminem england everbearer facebook falcon family fernando ferrari flower
football forever freedom fuckoff fuckyou gabriel garfield genius george ginger google gordon guest guitar hannah
hardware harley heather hello hellohello hockey hotmail hunter iloveu iloveyou infinity instagram internet isabella
jackson jasmine jennifer jessica jonathan jordan joseph joshua justin katherine kawasaki killer kimberly
lakers letmein letmeinnow liverpool login london lovely loveme lover loveyou maggie manchester marina
mario marlboro martin master matrix matthew maverick melissa mercedes merlin michael michelle microsoft
midnight minecraft monday monkey monster motorola mustang myspace naruto natasha nicholas nicole nintendo nirvana
nopassword november nothing october office oliver orange packers pass passcode passme passpass passphrase
passw0rd passwd password passwordpassword passwort patricia patrick peanut pepper phoenix player please pokemon
porsche prince princess private purple pussycat qazwsx qazwsxedc qwer qwerasdf qwert qwerty qwertyqwerty qwertyui
qwertyuiop qwertz rachel rainbow rangers rebecca remember richard robert rockstar rockyou root rosebud runescape
samantha samsung sandra santiago scooter scorpion sebastian secret secretpassword secure september service sexy
shadow shannon sierra silver skywalker slipknot snoopy snowball soccer sophie spiderman spring standard starwars
steelers stephanie strawberry summer summertime sunday sunflower sunshine superman superstar support swordfish system
taylor teacher temp temporary temppass tennis test tester testing testpass testpassword testtest thomas thunder
tigger tinkerbell tottenham trustno trustnoone twitter tyler unicorn unknown user username vanessa vladimir
victoria volleyball wallpaper warcraft warrior welcome welcomehome whatever william winner winston winter wizard
xbox yankees yellow yourpassword zaq12wsx zxcvbn zxcvbnm
p@ssw0rd p@ssword pa$$word pa$$w0rd p4ssw0rd passw0rd! l3tm31n adm1n
motdepasse contraseña contrasena senha parola haslo heslo salasana geheim hallo schatz ficken arschloch sommer
azerty soleil doudou marseille teamo estrella mariposa amorcito bonita tequiero ciao juventus
"""

COMMON_WORDS = frozenset(_WORDS.split())
