# wheels: pygame-ce==2.5.8
"""pygame-ce without a screen: surfaces, drawing, rectangles, sprites, events, time, fonts, sounds, pixel arrays, images."""

import io
import os

os.environ["SDL_VIDEODRIVER"] = "dummy"
os.environ["SDL_AUDIODRIVER"] = "dummy"
os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"

import pygame

pygame.init()
screen = pygame.display.set_mode((160, 120))
print(screen.get_size(), screen.get_bitsize(), pygame.display.get_driver())
screen.fill((10, 20, 30))
pygame.draw.rect(screen, "red", (10, 10, 20, 20))
pygame.draw.circle(screen, (0, 255, 0), (80, 60), 15)
pygame.draw.line(screen, "blue", (0, 119), (159, 0), 3)
pygame.draw.polygon(screen, "yellow", [(120, 20), (150, 20), (135, 50)])
print(screen.get_at((15, 15)), screen.get_at((80, 60)), screen.get_at((0, 0)), screen.get_at((135, 25)))

rect = pygame.Rect(10, 10, 30, 20)
rect.center = (50, 50)
print(rect, rect.colliderect((40, 40, 5, 5)), rect.union((0, 0, 10, 10)), rect.clip((45, 45, 100, 100)), rect.inflate(4, 4))
vector = pygame.Vector2(3, 4)
print(vector.length(), vector.normalize(), vector.rotate(90), vector.dot((1, 2)), pygame.Vector3(1, 2, 3).cross((0, 0, 1)))
color = pygame.Color("orange")
print(color, color.hsva[0], color.lerp("black", 0.5), pygame.Color(300 - 45, 0, 0) + pygame.Color(0, 1, 2))


class Ball(pygame.sprite.Sprite):
    def __init__(self, place):
        super().__init__()
        self.image = pygame.Surface((8, 8), pygame.SRCALPHA)
        pygame.draw.circle(self.image, "white", (4, 4), 4)
        self.rect = self.image.get_rect(center=place)
        self.mask = pygame.mask.from_surface(self.image)

    def update(self):
        self.rect.x += 2


balls = pygame.sprite.Group(Ball((20, 60)), Ball((24, 60)), Ball((100, 100)))
for _ in range(5):
    balls.update()
balls.draw(screen)
first, second, third = sorted(balls, key=lambda ball: ball.rect.x)
print(len(balls), first.rect, bool(pygame.sprite.collide_mask(first, second)), bool(pygame.sprite.collide_rect(first, third)))
print(first.mask.count(), screen.get_at(third.rect.center))

pygame.event.clear()
pygame.event.post(pygame.event.Event(pygame.USEREVENT, code=7))
pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_a, mod=0, unicode="a"))
for event in pygame.event.get((pygame.USEREVENT, pygame.KEYDOWN)):
    print(pygame.event.event_name(event.type), getattr(event, "code", None), getattr(event, "unicode", None))
print(pygame.key.name(pygame.K_SPACE), pygame.time.Clock().tick() >= 0, pygame.time.get_ticks() >= 0)

small = pygame.transform.scale(screen, (16, 12))
turned = pygame.transform.rotate(small, 90)
print(small.get_size(), turned.get_size(), pygame.transform.flip(small, True, False).get_size())
pixels = pygame.PixelArray(small)
pixels[0, 0] = (1, 2, 3)
print(pixels.shape, small.unmap_rgb(pixels[0, 0]))
del pixels
stream = io.BytesIO()
pygame.image.save(small, stream, "small.png")
loaded = pygame.image.load(io.BytesIO(stream.getvalue()), "small.png")
print(loaded.get_size(), loaded.get_at((0, 0)), len(pygame.image.tobytes(loaded, "RGB")), small.get_view("2").length > 0)
font = pygame.font.Font(None, 20)
text = font.render("Hello", True, "white")
print(text.get_height() == font.get_height(), font.size("Hello") == text.get_size())
sound = pygame.mixer.Sound(buffer=bytes(4410 * 4))
print(sound.get_length() > 0, sound.get_volume(), pygame.mixer.get_init() is not None)
for bad in (lambda: pygame.Surface((-1, 2)), lambda: pygame.Color("no colour"), lambda: screen.get_at((500, 0)), lambda: pygame.Rect("a")):
    try:
        print(bad())
    except Exception as error:
        print(type(error).__name__, error)
pygame.quit()
